import { useChat } from "./context";
import { Grown } from "./Grown";

/** A turn's text (or reasoning), drawn as it comes. */
export function Text({ id, field, speak }: { id: string; field: "text" | "reasoning"; speak?: boolean }) {
  const { session, say } = useChat();
  const text = () => {
    const turn = session.turns.get(id);
    return turn && { text: turn[field], done: turn.status !== "writing" };
  };
  return (
    <Grown
      key={`${id} ${field}`}
      source={session}
      text={text}
      read={(reader) => session.read(id, reader)}
      say={speak ? say : null}
    />
  );
}
