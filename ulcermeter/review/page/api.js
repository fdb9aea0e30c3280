// What the page asks of the program on this machine; addresses are relative to the page's own, token and all.

async function answer(response) {
  const body = await response.json().catch(() => ({ error: "the program does not answer as it should" }));
  if (!response.ok) throw Object.assign(new Error(body.error || `the program answered ${response.status}`), { status: response.status });
  return body;
}

async function reach(address, options) {
  try {
    return await fetch(address, options);
  } catch {
    throw new Error("the program does not answer: was it ended? What was saved is kept; start `ulcermeter review` again");
  }
}

const get = async (address) => answer(await reach(address));
const post = async (address, given) =>
  answer(await reach(address, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(given) }));

export const list = () => get("api/list");
export const photo = (id) => get(`api/photo/${id}`);
export const place = (id, [s, t]) => get(`api/place/${id}?s=${s}&t=${t}`);
export const measure = (id, outline) => post(`api/measure/${id}`, { outline_px: outline });
export const save = (id, given) => post(`api/reading/${id}`, given);
export const turn = (id, given) => post(`api/turn/${id}`, given);
export const find = (id, prompt) => post(`api/find/${id}`, prompt);
export const shape = (id, given) => post(`api/shape/${id}`, given);

export async function image(id, crop) {
  const response = await reach(`api/image/${id}${crop ? `?crop=${crop.join(",")}` : ""}`);
  if (!response.ok) throw new Error((await response.json().catch(() => ({}))).error || "this photo cannot be shown");
  return createImageBitmap(await response.blob());
}
