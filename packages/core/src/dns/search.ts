/** Search: a name through all that it may stand for, in the order of the search list. */
import type { HostAddress } from './hosts.js';
import type { Status } from './nsswitch.js';
import { isForOneUse, type Records } from './queries.js';

/** What a source of names has said. */
export interface Outcome {
  readonly status: Status;
  /** Unless it is a success. */
  readonly code: string;
  readonly addresses: readonly HostAddress[];
  /** The next lookup asks again. */
  readonly forOneUse: boolean;
}

export const notFound: Outcome = {
  status: 'notfound',
  code: 'ENOTFOUND',
  addresses: [],
  forOneUse: false,
};

/** Asks for one type of one name; see {@link Queries.addresses}. */
export type Ask = (name: string, type: 4 | 6, done: (answer: Records) => void) => () => void;

/** What is known of one candidate: none of it yet, or all. */
interface Candidate {
  readonly answers: Records[];
  complete: boolean;
}

function judge({ answers }: Candidate): 'found' | 'none' | 'failed' | 'silent' {
  if (answers.some((one) => one.kind === 'records')) return 'found';
  const failures = answers.filter((one) => one.kind === 'failure');
  if (failures.some((one) => one.silent)) return 'silent';
  return failures.length > 0 ? 'failed' : 'none';
}

/**
 * Asks for the candidates one after the other, until one has addresses, as glibc's res_nsearch does: one
 * domain whose servers fail does not end the search (there SERVFAIL goes on to the next element of the
 * list; Kubernetes searches five domains for every name). Where the servers are silent the others are asked
 * all at once, so that a search takes twice the time of one query at most. The first in the order wins.
 *
 * With nothing found: EAI_AGAIN if one of the candidates may exist; but a name that was tried as it is
 * first does not, if its servers say so, whatever became of the others (`saved_herrno` there).
 * @returns the abort: `done` is not called
 */
export function search(
  names: readonly string[],
  types: readonly (4 | 6)[],
  asIsFirst: boolean,
  ask: Ask,
  done: (outcome: Outcome) => void,
): () => void {
  const candidates: Candidate[] = [];
  const leave: (() => void)[] = [];
  let over = false;
  const stop = () => {
    over = true;
    for (const one of leave) one();
  };
  const end = (outcome: Outcome) => {
    stop();
    done(outcome);
  };
  const begin = () => {
    const name = names[candidates.length] as string;
    const candidate: Candidate = { answers: [], complete: false };
    candidates.push(candidate);
    for (const type of types)
      leave.push(
        ask(name, type, (answer) => {
          candidate.answers.push(answer);
          candidate.complete = candidate.answers.length === types.length;
          if (candidate.complete && !over) goOn();
        }),
      );
  };
  const goOn = () => {
    for (let index = 0; index < names.length; index++) {
      if (index === candidates.length) begin();
      const candidate = candidates[index] as Candidate;
      if (!candidate.complete) return;
      const result = judge(candidate);
      if (result === 'found') {
        end(success(candidate.answers));
        return;
      }
      if (result === 'silent') while (candidates.length < names.length) begin();
    }
    end(failure(candidates, asIsFirst));
  };
  goOn();
  return stop;
}

function success(answers: readonly Records[]): Outcome {
  return {
    status: 'success',
    code: '',
    addresses: answers.flatMap((one) => (one.kind === 'records' ? one.records : [])),
    forOneUse: answers.some(isForOneUse),
  };
}

function failure(candidates: readonly Candidate[], asIsFirst: boolean): Outcome {
  const answers = candidates.flatMap((one) => one.answers);
  if (answers.some((one) => one.kind === 'failure' && one.code === 'ECANCELLED'))
    return { ...notFound, status: 'tryagain', code: 'ECANCELLED' };
  const unsure = asIsFirst ? candidates.slice(0, 1) : candidates;
  const again = unsure.some((one) => judge(one) !== 'none');
  return again ? { ...notFound, status: 'tryagain', code: 'EAI_AGAIN' } : notFound;
}
