import { useStore } from "./context";
import { t } from "../words";

export function Baseline() {
  const store = useStore();
  const { comparison, view } = store;
  const names = comparison.contestants.map(({ name }) => name);
  if (names.length < 2) return null;
  const value = names.includes(view.baseline) ? view.baseline : names[0]!;
  return (
    <Choice label={t("Baseline")} value={value} options={names.map((name) => [name, name])} onChoose={(baseline) => store.look({ baseline })} />
  );
}

export function Choice(props: { label: string; value: string; options: [string, string][]; onChoose: (value: string) => void }) {
  return (
    <label class="choice">
      <span>{props.label}</span>
      <select value={props.value} onChange={(event) => props.onChoose(event.currentTarget.value)}>
        {props.options.map(([value, text]) => (
          <option key={value} value={value}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}
