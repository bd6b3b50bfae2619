import { t } from "../words";
import { copy } from "./clipboard";
import { useBriefly } from "./briefly";
import { IconButton, type IconName } from "./icons";

/** Copies a text; `say` is told whether that was possible. */
export function CopyButton(props: {
  /** It, or what makes it when it is wanted. */
  text: string | (() => string);
  label: string;
  icon?: IconName;
  say: (said: string) => void;
}) {
  const { text, label, icon = "copy", say } = props;
  const [done, setDone] = useBriefly(1500);
  const click = () =>
    void copy(typeof text === "string" ? text : text()).then((copied) => {
      setDone(copied);
      say(copied ? t("Copied.") : t("The browser does not allow to copy."));
    });
  return <IconButton icon={done ? "done" : icon} label={label} onClick={click} />;
}
