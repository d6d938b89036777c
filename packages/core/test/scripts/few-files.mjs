// 300 greenlets that read and write whole files, in a process that may have 64 descriptors.
import fs from 'node:fs';
import path from 'node:path';
import { joinall, run, spawn } from '@tendril/core';
import { patchFs } from '@tendril/core/monkey';
import { fewDescriptors } from '../../../../tools/few-descriptors.mjs';

const [folder, park] = process.argv.slice(2);
fewDescriptors(64);
patchFs({ park, from: 1000 });
const text = 'x'.repeat(100_000);
await run(() => {
  const names = Array.from({ length: 300 }, (_, n) => path.join(folder, `${n}`));
  const all = names.map((name) =>
    spawn(() => {
      fs.writeFileSync(name, text);
      fs.copyFileSync(name, `${name}.copy`);
      fs.appendFileSync(`${name}.copy`, text);
      return fs.readFileSync(`${name}.copy`, 'utf8').length;
    }),
  );
  joinall(all);
  const errors = all.map((one) => one.exception?.code).filter((code) => code !== undefined);
  console.log(all.filter((one) => one.value === 200_000).length, errors.join());
});
