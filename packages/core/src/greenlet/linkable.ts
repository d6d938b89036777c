/** What can be waited for together with others: greenlets, events, results. */
export interface Linkable {
  ready(): boolean;
  /** `callback` is called once, on a later turn of the hub, when this is ready. */
  link(callback: (self: this) => void): void;
  unlink(callback: (self: this) => void): void;
}
