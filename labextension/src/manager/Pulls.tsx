import { t } from "../words";
import { useState } from "preact/hooks";
import { Ask, Failed } from "./Ask";
import { useStore } from "./context";
import type { Pull } from "./live";
import { percent, size } from "./words";

/** A model on its way: it can be stopped, goes on from where it was, and can be given up. */
export function PullRow({ pull }: { pull: Pull }) {
  const store = useStore();
  const [asking, setAsking] = useState(false);
  const to = `pull ${pull.id}`;
  const busy = store.doing.has(to);
  const share = shareOf(pull);
  return (
    <li class="row" data-pull={pull.id}>
      <div class="line">
        <div class="about">
          <h3>{pull.id}</h3>
          <p class="note">{pullNote(pull)}</p>
        </div>
        <div class="do">
          {pull.running ? (
            <button type="button" class="quiet-button" aria-disabled={busy} aria-label={t("Stop fetching %1", pull.id)} onClick={() => void store.stopPull(pull.id)}>
              {t("Stop")}
            </button>
          ) : (
            <>
              <button type="button" class="quiet-button" aria-disabled={busy} aria-label={t("Go on with %1", pull.id)} onClick={() => void store.pull(pull.source, pull.id)}>
                {t("Go on")}
              </button>
              <button type="button" class="quiet-button" aria-disabled={busy} aria-label={t("Discard %1", pull.id)} onClick={() => !busy && setAsking(true)}>
                {t("Discard")}
              </button>
            </>
          )}
        </div>
      </div>
      {(pull.running || share !== null) && <progress max={1} value={share ?? undefined} aria-label={t("Fetching %1", pull.id)} />}
      {asking && (
        <Ask
          question={t("Delete what has come of %1 (%2)?", pull.id, size(pull.done))}
          yes={t("Delete")}
          no={t("Keep")}
          onYes={() => {
            setAsking(false);
            void store.discard(pull.id);
          }}
          onNo={() => setAsking(false)}
        />
      )}
      <Failed text={store.failed.get(to) ?? (pull.running ? "" : pull.message)} onClose={store.failed.has(to) ? () => store.dismiss(to) : undefined} />
    </li>
  );
}

export const shareOf = ({ done, total }: Pull): number | null => (total ? Math.min(1, done / total) : null);

/** How far it is: as the server says it while it comes. */
export function pullNote(pull: Pull): string {
  if (pull.running && pull.message) return pull.message;
  const share = shareOf(pull);
  const amount = pull.total ? t("%1 of %2", size(pull.done), size(pull.total)) : pull.done ? size(pull.done) : "";
  const told = [share === null ? "" : percent(share), amount].filter(Boolean).join(" · ");
  return pull.running ? told || t("beginning …") : [t("stopped"), told].filter(Boolean).join(" · ");
}
