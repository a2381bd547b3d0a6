// A form with data-post sends its fields as JSON; the reply says where to go on, or what is wrong.
import { call } from "./calls.js";

const fieldsOf = (form) => {
  const fields = {};
  for (const one of form.elements) {
    if (!one.name || one.disabled) continue;
    if (one.type === "checkbox") {
      fields[one.name] ??= [];
      if (one.checked) fields[one.name].push(one.value);
    } else if (one.type !== "radio" || one.checked) {
      fields[one.name] = one.value;
    }
  }
  return fields;
};

async function send(form) {
  const said = form.querySelector("[role=alert]");
  const buttons = form.querySelectorAll("button");
  buttons.forEach((one) => { one.disabled = true; });
  const { status, data } = await call(form.dataset.post, fieldsOf(form));
  buttons.forEach((one) => { one.disabled = false; });
  if (status === 200) {
    if (data.to) location.assign(data.to);
    else location.reload();
    return;
  }
  said.textContent = status === 0
    ? "No connection: nothing was saved. What you wrote is still here; send it again."
    : data.error;
  said.hidden = false;
}

document.addEventListener("submit", (event) => {
  if (!event.target.dataset.post) return;
  event.preventDefault();
  send(event.target);
});

document.addEventListener("click", (event) => {
  const raw = event.target.closest("[data-raw]");
  if (!raw) return;
  const on = document.body.classList.toggle("as-raw");
  raw.setAttribute("aria-pressed", on);
});
