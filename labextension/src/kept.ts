// A text that outlives a reload of the page, as far as the page may keep any.

export interface Kept {
  text: string;
}

export function kept(place: string): Kept {
  let held = "";
  try {
    held = sessionStorage.getItem(place) ?? "";
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
        if (text) sessionStorage.setItem(place, text);
        else sessionStorage.removeItem(place);
      } catch {
        // It is full, or there is none.
      }
    },
  };
}
