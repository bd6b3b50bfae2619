// A text that outlives a reload of the page, as far as the page may keep any.

export interface Kept {
  text: string;
}

/** `storage`: the window's own, or that of all windows of the browser. */
export function kept(place: string, storage: "sessionStorage" | "localStorage" = "sessionStorage"): Kept {
  let held = "";
  try {
    held = window[storage].getItem(place) ?? "";
  } catch {
    // Not in every frame: then the view alone has it.
  }
  return {
    get text() {
      return held;
    },
    set text(text: string) {
      held = text;
      try {
        if (text) window[storage].setItem(place, text);
        else window[storage].removeItem(place);
      } catch {
        // It is full, or there is none.
      }
    },
  };
}
