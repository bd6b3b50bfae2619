import { t } from "../words";
import { Marked } from "../ui/Marked";
import { Failed } from "./Ask";
import { useStore } from "./context";
import { Waiting } from "./Installed";
import type { EngineRow } from "./protocol";

const TONES: Record<string, string> = { ready: "ready", "needs key": "needs-key", broken: "broken" };

/** The engines, and what each needs before it can be asked. */
export function Engines() {
  const store = useStore();
  if (!store.engines) return <Waiting what="engines" />;
  const groups = [
    { title: t("Ready"), rows: store.engines.filter(({ state }) => state === "ready") },
    { title: t("Not ready"), rows: store.engines.filter(({ state }) => state !== "ready") },
  ];
  return (
    <>
      <Failed text={store.failed.get("engines")} onClose={() => store.dismiss("engines")} />
      {groups.map(({ title, rows }) =>
        rows.length ? (
          <section key={title} aria-label={title}>
            <h2>{title}</h2>
            <ul class="rows">
              {rows.map((row) => (
                <Row key={row.id} row={row} />
              ))}
            </ul>
          </section>
        ) : null,
      )}
    </>
  );
}

function Row({ row }: { row: EngineRow }) {
  const store = useStore();
  const remark = row.remark === row.address ? "" : row.remark;
  const marks = [row.kind, row.models ? row.models === 1 ? t("1 model") : t("%1 models", row.models) : "", row.address, row.package].filter(Boolean);
  return (
    <li class="row" data-engine={row.id}>
      <div class="line">
        <span class="light" data-state={TONES[row.state] ?? "not-running"} aria-hidden="true" />
        <div class="about">
          <h3>{row.id}</h3>
          <p class="marks">
            {marks.map((mark) => (
              <small key={mark}>{mark}</small>
            ))}
          </p>
          {(row.state !== "ready" || remark) && (
            <p class="note">
              {row.state !== "ready" && `${row.state}${remark ? ": " : ""}`}
              <Marked text={remark} />
            </p>
          )}
        </div>
        {row.state === "needs key" && (
          <div class="do">
            <button type="button" class="quiet-button" aria-label={t("Set its key: %1", row.id)} onClick={() => store.open("keys", row.id)}>
              {t("Set its key")}
            </button>
          </div>
        )}
      </div>
    </li>
  );
}
