import { copy } from "./clipboard";
import { useBriefly } from "./briefly";
import { IconButton } from "./icons";

/** Copies a text; `say` is told whether that was possible. */
export function CopyButton({ text, label, say }: { text: string; label: string; say: (said: string) => void }) {
  const [done, setDone] = useBriefly(1500);
  const click = () =>
    void copy(text).then((copied) => {
      setDone(copied);
      say(copied ? "Copied." : "The browser does not allow to copy.");
    });
  return <IconButton icon={done ? "done" : "copy"} label={label} onClick={click} />;
}
