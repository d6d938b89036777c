#!/usr/bin/env node
/** A ZeroMQ server that answers what it is asked: prints its port. */
import { Router } from 'zeromq';

const router = new Router();
await router.bind('tcp://127.0.0.1:*');
console.log(router.lastEndpoint?.split(':').at(-1));
for await (const question of router) await router.send(question);
