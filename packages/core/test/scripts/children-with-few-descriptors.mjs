// Many more children than descriptors allow at once, which one after the other would all run.
// Each is asked for in a turn of its own, and finds the environment of that turn.
import { execSync } from 'node:child_process';
import { run, sleep, spawn, wait } from '@tendril/core';
import { patchAll } from '@tendril/core/monkey';
import { fewDescriptors } from '../../../../tools/few-descriptors.mjs';

fewDescriptors(64);
patchAll({ fs: false });
await run(() => {
  const crowd = Array.from({ length: Number(process.argv[2]) }, (_, i) => {
    process.env.ASKED = `${i}`;
    const one = spawn(() => {
      try {
        return Number(execSync('sleep 0.5; echo $ASKED')) === i ? 'done' : 'wrong';
      } catch (error) {
        return error.code;
      }
    });
    sleep(0);
    wait(new Promise((resolve) => setImmediate(resolve)));
    return one;
  });
  const counts = {};
  for (const one of crowd) counts[one.get()] = (counts[one.get()] ?? 0) + 1;
  console.log(JSON.stringify(counts));
});
