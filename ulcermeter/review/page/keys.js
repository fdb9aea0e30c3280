// Every key, what it does, and what the sheet under ? says of it. A command is named once, here.

export const COMMANDS = [
  ["Decide", [
    ["accept-next", ["Space"], "Accept what is shown, go to the next", "Accept, next"],
    ["accept", ["Enter", "a"], "Accept what is shown", "Accept"],
    ["none", ["x"], "No ulcer here: the chosen outline, or the whole photo", "No ulcer"],
    ["healed", ["h"], "Healed", "Healed"],
    ["covered", ["v"], "Covered by a dressing or crust", "Covered"],
    ["cannot", ["j"], "Cannot be judged, with a reason", "Cannot judge"],
    ["why", ["e"], "Say why: a reason for what was decided", "Reason"],
    ["identity", ["d"], "This is ulcer N", "Which ulcer"],
    ["withdraw", ["w"], "Take this reading back", "Take back"],
  ]],
  ["Outline", [
    ["new", ["c"], "Click for an outline by the network; drag a box; Shift and drag a rough outline", "New outline"],
    ["free", ["f"], "Redraw a stretch by hand; a closed loop where there is none", "Freehand"],
    ["grow", ["g"], "Grow the whole rim by 0.05 mm", "Grow"],
    ["shrink", ["s"], "Shrink the whole rim by 0.05 mm", "Shrink"],
    ["handle-next", ["."], "Next handle; the arrows move it by 0.05 mm", "Next handle"],
    ["handle-before", [","], "Handle before", "Handle before"],
    ["insert", ["i"], "Insert a handle behind the chosen one", "Insert handle"],
    ["remove", ["Delete", "Backspace"], "Remove the chosen handle: the rim there is smoothed", "Remove handle"],
    ["ulcer", ["u"], "Choose the next ulcer", "Next ulcer"],
    ["merge", ["m"], "Merge with the nearest other ulcer", "Merge"],
    ["split", ["k"], "Split along a line", "Split"],
    ["undo", ["z", "Ctrl+z"], "Undo", "Undo"],
    ["redo", ["y", "Ctrl+y", "Ctrl+Z"], "Redo", "Redo"],
  ]],
  ["See", [
    ["next", ["n", "PageDown"], "Next photo", "Next"],
    ["before", ["p", "PageUp"], "Photo before", "Before"],
    ["zoom-in", ["+", "="], "Zoom in (wheel)"],
    ["zoom-out", ["-"], "Zoom out"],
    ["fit", ["0"], "The ulcer in view"],
    ["outlines", ["o"], "Outlines on and off", "Outlines"],
    ["grid", ["r"], "Millimetre grid on and off", "Grid"],
    ["brighter", ["b"], "Brighter", "Brighter"],
    ["darker", ["B"], "Darker", "Darker"],
    ["list", ["l"], "To the list and back"],
    ["first", ["1"], "Take the first reader's reading (adjudication)"],
    ["second", ["2"], "Take the second reader's reading (adjudication)"],
    ["cancel", ["Escape"], "Leave a mode, a handle or the list"],
    ["help", ["?"], "This sheet"],
  ]],
];

const BY_KEY = new Map(COMMANDS.flatMap(([, rows]) => rows.flatMap(([name, keys]) => keys.map((key) => [key, name]))));

export function commandOf(event) {
  if (event.altKey) return undefined;
  const key = event.key === " " ? "Space" : event.key;
  return BY_KEY.get(event.ctrlKey || event.metaKey ? `Ctrl+${key}` : key);
}

export function fillSheet(table) {
  for (const [title, rows] of COMMANDS) {
    const head = table.createTHead ? table.insertRow() : null;
    const cell = document.createElement("th");
    cell.colSpan = 2;
    cell.textContent = title;
    head.append(cell);
    for (const [, keys, words] of rows) {
      const row = table.insertRow();
      row.insertCell().append(...keys.flatMap((key) => [Object.assign(document.createElement("kbd"), { textContent: key }), " "]));
      row.insertCell().textContent = words;
    }
  }
  const row = table.insertRow();
  row.insertCell().append(Object.assign(document.createElement("kbd"), { textContent: "arrows" }));
  row.insertCell().textContent = "Move the chosen handle by 0.05 mm (Shift: 0.25 mm); without one, the photo";
}
