'use strict';
/** The application with its pages made by a pool of as many threads as THREADS says. */
const path = require('node:path');
const express = require('express');
const { Piscina } = require('piscina');

const threads = Number(process.env.THREADS);
const pool = new Piscina({
  filename: path.join(__dirname, 'page.cjs'),
  minThreads: threads,
  maxThreads: threads,
});
const app = express();

app.get('/page/:name', async (req, res) => {
  res.type('html').send(await pool.run(req.params.name));
});

const server = app.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', () => {
  console.log(`Listening on port ${server.address().port}`);
});
