/** What members are told, as JSON on every transport. */

export interface Message {
  readonly type: 'message';
  /** Grows within a room: who gets a message twice can tell. */
  readonly number: number;
  readonly from: string;
  readonly text: string;
  /** Milliseconds since 1970. */
  readonly time: number;
}

/** The first event of a member. `id` is its secret, by which POST /send and /poll know it. */
export interface Welcome {
  readonly type: 'welcome';
  readonly id: string;
  readonly room: string;
  readonly name: string;
  readonly members: readonly string[];
  readonly history: readonly Message[];
}

export type ChatEvent =
  | Welcome
  | Message
  | { readonly type: 'joined' | 'left'; readonly name: string }
  | { readonly type: 'renamed'; readonly from: string; readonly to: string }
  /** For the one whose message was not taken: why. */
  | { readonly type: 'refused'; readonly text: string };
