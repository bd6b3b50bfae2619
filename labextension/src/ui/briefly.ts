import { useEffect, useState } from "preact/hooks";

/** Something that holds for so many milliseconds, and how to say that it does. */
export function useBriefly(milliseconds: number): [boolean, (holds: boolean) => void] {
  const [holds, setHolds] = useState(false);
  useEffect(() => {
    if (!holds) return;
    const timer = setTimeout(() => setHolds(false), milliseconds);
    return () => clearTimeout(timer);
  }, [holds]);
  return [holds, setHolds];
}
