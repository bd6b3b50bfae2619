// Amounts and states for people, as `jan_jupyter/units.py` writes them.

/** Bytes: `999 B`, `12 KB`, `2.9 MB`, `340 MB`, `4.7 GB`. */
export function size(count: number): string {
  let left = count;
  for (const unit of ["B", "KB", "MB"]) {
    if (left < 999.5) return `${unit === "MB" && left < 10 ? left.toFixed(1) : left.toFixed(0)} ${unit}`;
    left /= 1000;
  }
  return `${left.toFixed(1)} GB`;
}

export const percent = (share: number): string => `${Math.floor(share * 100)} %`;

export const tokens = (count: number): string => (count < 1000 ? `${count}` : `${Math.round(count / 1024)}k`);
