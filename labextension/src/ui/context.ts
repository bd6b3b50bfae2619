import { createContext } from "preact";
import { useContext, useLayoutEffect, useState } from "preact/hooks";
import type { Session } from "../session";
import type { Opened } from "./opened";

export interface Chat {
  session: Session;
  /** The element in the page, to find the notebook around it. */
  root: HTMLElement;
  /** Say something to a screen reader. */
  say(text: string): void;
  opened: Opened;
}

export const ChatContext = createContext<Chat>(null as unknown as Chat);

export const useChat = (): Chat => useContext(ChatContext);

/** The session, and a new drawing whenever it changes. */
export function useSession(): Session {
  const { session } = useChat();
  const [, draw] = useState(0);
  // Before anything else can happen: an effect would listen a frame later, and miss what came.
  useLayoutEffect(() => session.watch(() => draw((n) => n + 1)), [session]);
  return session;
}
