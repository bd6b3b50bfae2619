// JupyterLab takes the line break away from a text field in a shadow root inside a cell.

/** Put a line break where the cursor is, as the browser would. */
export function breakLine(event: KeyboardEvent & { currentTarget: HTMLTextAreaElement }): void {
  const area = event.currentTarget;
  event.preventDefault();
  area.setRangeText("\n", area.selectionStart, area.selectionEnd, "end");
  area.dispatchEvent(new InputEvent("input", { bubbles: true, inputType: "insertLineBreak" }));
}
