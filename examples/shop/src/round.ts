/** A round: a shop and its customers, before, during and after a third party is slow. */
import { sleep } from '@tendril/core';
import type { CrowdSettings, Stage } from './crowd.js';
import { getJson } from './get-json.js';
import type { Options } from './options.js';
import { Program } from './program.js';
import type { ShopSettings } from './shop-server.js';

export interface Round {
  name: string;
  stages: Stage[];
}

/** Part of the customers that check out. */
const buying = 0.7;
/** Milliseconds between an answer and the next request. */
const thought = 1000;

export type Say = (text: string) => void;

/** Parks until all stages are over. */
export function play(name: string, settings: ShopSettings, options: Options, say: Say): Round {
  const { clients, seconds, degraded, warmUp } = options;
  using shop = new Program('shop-server', settings);
  const buyers = Math.round(clients * buying);
  const customers: CrowdSettings = {
    port: Number(shop.first),
    looking: clients - buyers,
    buying: buyers,
    thought,
  };
  using crowd = new Program('crowd', customers, { silent: true });
  const slowDown = (ms: number) => getJson(`${settings.services}/degrade?ms=${ms}`);
  const stages: Stage[] = [];
  const stage = (title: string, ms: number) => {
    say(`${name}: ${title}`);
    crowd.say(`begin ${title}`);
    sleep(ms);
    crowd.say('end');
    stages.push(JSON.parse(crowd.line()) as Stage);
  };
  sleep(warmUp * 1000);
  stage('before', seconds * 1000);
  slowDown(degraded);
  // What it does to others shows when the first are stuck.
  sleep(Math.min(thought, degraded));
  stage('degraded', Math.max(seconds * 1000, degraded * 1.2));
  slowDown(0);
  sleep(degraded);
  stage('after', seconds * 1000);
  return { name, stages };
}
