// What cells have of us, loaded with the first notebook of a page.

import style from "./cells/style.css";

export { asked, compareBelow, needsTwo, outputAt } from "./cells/ask";
export { choose } from "./cells/choose";
export { MARKDOWN, PROMPT, promptLanguage } from "./cells/language";
export { watch } from "./cells/watch";

const sheet = document.createElement("style");
sheet.textContent = style;
document.head.append(sheet);
