// Keys for what links and fields do already: / search, j and k through the list or to the next item.
const filters = document.querySelector(".filters");
if (filters && matchMedia("(min-width: 700px)").matches) filters.open = true;
addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea")) return;
  const links = [...document.querySelectorAll(".look-list a")];
  const at = links.indexOf(document.activeElement);
  if (event.key === "/") {
    const field = document.querySelector("input[type=search]");
    if (field) { event.preventDefault(); field.focus(); } else location.href = "/look";
  } else if (event.key === "j" || event.key === "k") {
    if (links.length) links[Math.max(0, Math.min(links.length - 1, at + (event.key === "j" ? 1 : -1)))].focus();
    else if (event.key === "k") history.back();
    else document.querySelector("a[rel=next]")?.click();
  }
});
