/** Refusal: a request that gets a status and a reason in place of what it asked for. */
export class Refusal extends Error {
  readonly status: string;

  constructor(status: string, message: string) {
    super(message);
    this.status = status;
  }
}
