// Runs itself as a child, from a fiber, and prints what that prints.
const { execFile } = require('node:child_process');
const Fiber = require('@tendril/fibers');

if (process.env.CHILD) {
  const fiber = Fiber(() => {
    Fiber.yield('pa');
    return 'ss';
  });
  console.log(fiber.run() + fiber.run());
} else {
  Fiber(() => {
    const env = { ...process.env, CHILD: '1' };
    execFile(process.execPath, [__filename], { env }, (error, stdout) => {
      console.log(error ?? `child: ${stdout.trim()}`);
    });
  }).run();
}
