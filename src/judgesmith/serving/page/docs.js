// The API's page, made from openapi.json. All texts are set as text.
const make = (tag, name, text) => {
  const node = document.createElement(tag);
  if (name) node.className = name;
  if (text !== undefined) node.textContent = text;
  return node;
};

function named(schema) {
  if (!schema) return "";
  if (schema.$ref) return schema.$ref.split("/").pop();
  const several = schema.anyOf ?? schema.oneOf;
  if (several) return several.map(named).join(" or ");
  if (schema.type === "array") return `list of ${named(schema.items)}`;
  if (schema.enum) return schema.enum.map((one) => JSON.stringify(one)).join(" or ");
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  return schema.type ?? "any";
}

function refs(schema, found = []) {
  if (schema?.$ref) found.push(schema.$ref.split("/").pop());
  for (const one of [...(schema?.anyOf ?? []), ...(schema?.oneOf ?? []), schema?.items])
    if (one) refs(one, found);
  return found;
}

function fields(name, schema) {
  const whole = make("details");
  whole.append(make("summary", "", name));
  if (schema.description) whole.append(make("p", "soft", schema.description));
  const table = make("table");
  const head = make("tr");
  head.append(...["field", "type", ""].map((one) => make("th", "", one)));
  table.append(head);
  for (const [field, about] of Object.entries(schema.properties ?? {})) {
    const line = make("tr");
    const must = schema.required?.includes(field) ? " *" : "";
    line.append(make("td", "", field + must), make("td", "", named(about)),
      make("td", "", about.description ?? ""));
    table.append(line);
  }
  whole.append(table);
  return whole;
}

function operation(method, path, about, schemas) {
  const whole = make("article");
  const head = make("h2");
  head.append(make("span", "method", method.toUpperCase()), ` ${path}`);
  whole.append(head, make("p", "", about.summary ?? ""));
  if (about.description) whole.append(make("p", "soft", about.description));
  const body = about.requestBody?.content?.["application/json"];
  const good = about.responses?.["200"]?.content?.["application/json"]?.schema;
  for (const [title, schema] of [["Asked", body?.schema], ["Answered", good]]) {
    const known = [...new Set(refs(schema))].filter((one) => schemas[one]?.properties);
    if (known.length) whole.append(make("p", "", title));
    whole.append(...known.map((one) => fields(one, schemas[one])));
  }
  const others = Object.entries(about.responses ?? {}).filter(([code]) => code !== "200");
  if (others.length)
    whole.append(make("p", "soft", others.map(([code, one]) => `${code}: ${one.description}`).join("\n")));
  for (const one of Object.values(body?.examples ?? {}))
    whole.append(make("pre", "", JSON.stringify(one.value, null, 1)));
  return whole;
}

const found = await (await fetch("/openapi.json")).json();
const parts = Object.entries(found.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, about]) =>
    operation(method, path, about, found.components?.schemas ?? {})));
document.querySelector("main").replaceChildren(make("p", "soft", found.info.description), ...parts);
