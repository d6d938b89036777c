describe('a fiber that nothing can resume', () => {
  test('is unwound: its finally blocks run', async () => {
    let cleaned = 0;
    (() => {
      for (let i = 0; i < 20; i++) {
        new Fiber(() => {
          try {
            Fiber.suspend();
          } finally {
            cleaned++;
          }
        }).resume();
      }
    })();
    await turns(5);
    // V8 may see a stale reference in a register or two.
    assert.ok(cleaned >= 15, `${cleaned} of 20 were unwound`);
  });

  test('is dropped when it catches the error for ever', async () => {
    let caught = 0;
    (() => {
      for (let i = 0; i < 10; i++) {
        new Fiber(() => {
          for (;;) {
            try {
              Fiber.suspend();
            } catch (error) {
              assert.ok(code('ERR_FIBER_UNWOUND')(error));
              caught++;
            }
          }
        }).resume();
      }
    })();
    await turns(5);
    assert.ok(caught >= 16);
  });
});
