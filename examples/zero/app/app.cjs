'use strict';
/** The application: `node app.cjs`. */
const express = require('express');
const page = require('./page.cjs');

const app = express();

app.get('/page/:name', (req, res) => {
  res.type('html').send(page(req.params.name));
});

const server = app.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', () => {
  console.log(`Listening on port ${server.address().port}`);
});
