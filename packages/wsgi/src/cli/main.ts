#!/usr/bin/env node
/** The command `tendril-wsgi module:app`. */
import { createSecureContext } from 'node:tls';
import { Arbiter } from './arbiter.js';
import { tlsOptions } from './certificates.js';
import {
  AppLoadError,
  CommandError,
  exitCode,
  messageOf,
  SetupError,
  UsageError,
} from './errors.js';
import { help, version } from './help.js';
import { findModule, loadApp, splitApp } from './load-app.js';
import { LogFile } from './log-file.js';
import { Logger } from './logger.js';
import { parseCommand, type Settings } from './options.js';

function changeDirectory({ chdir }: Settings): void {
  if (chdir === undefined) return;
  try {
    process.chdir(chdir);
  } catch (error) {
    throw new SetupError(`Cannot change to directory ${chdir}: ${messageOf(error)}.`);
  }
}

// Whatever would fail in every worker is better found before there are any.
function checkCertificate(settings: Settings): void {
  try {
    const tls = tlsOptions(settings);
    if (tls) createSecureContext(tls);
  } catch (error) {
    throw new SetupError(`The certificate or its key cannot be used: ${messageOf(error)}.`);
  }
}

async function check(settings: Settings): Promise<number> {
  changeDirectory(settings);
  checkCertificate(settings);
  try {
    await loadApp(settings.app, { ...settings, limit: settings.loadTimeout });
  } catch (error) {
    if (!(error instanceof AppLoadError)) throw error;
    process.stderr.write(`tendril-wsgi: error: ${error.report}\n`);
    return exitCode.failure;
  }
  process.stdout.write('ok\n');
  return exitCode.ok;
}

async function serve(settings: Settings): Promise<number> {
  changeDirectory(settings);
  checkCertificate(settings);
  const { accessLogfile, errorLogfile } = settings;
  const errorLog = new LogFile(errorLogfile, process.stderr);
  const accessLog =
    accessLogfile === undefined ? undefined : new LogFile(accessLogfile, process.stdout);
  try {
    findModule(splitApp(settings.app).module, process.cwd());
    if (settings.preload) await loadApp(settings.app, { ...settings, limit: settings.loadTimeout });
    return await new Arbiter(settings, errorLog, accessLog).run();
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    new Logger(errorLog).error(error instanceof AppLoadError ? error.report : error.message);
    errorLog.flush();
    return error.exitCode;
  }
}

async function main(): Promise<number> {
  const { action, settings } = parseCommand(process.argv.slice(2), process.env);
  switch (action) {
    case 'help':
      process.stdout.write(help);
      return exitCode.ok;
    case 'version':
      process.stdout.write(`tendril-wsgi ${version()}\n`);
      return exitCode.ok;
    case 'check':
      return check(settings);
    case 'serve':
      return serve(settings);
  }
}

try {
  // An application may have left handles open, which would keep the process.
  process.exit(await main());
} catch (error) {
  if (!(error instanceof CommandError)) throw error;
  const hint = error instanceof UsageError ? ' See tendril-wsgi --help.' : '';
  process.stderr.write(`tendril-wsgi: error: ${error.message}${hint}\n`);
  process.exit(error.exitCode);
}
