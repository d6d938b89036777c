/** getJson(): a request that parks, and stops when its greenlet is killed or timed out. */
import http from 'node:http';
import { park } from '@tendril/core';
import { lookup } from '@tendril/core/resolver';

const agent = new http.Agent({ keepAlive: true, maxFreeSockets: 2000 });

/** The answer's body. @throws Error for a status other than 200, SyntaxError, Node's errors */
export function getJson(url: string): unknown {
  const text = park<string>((resume) => {
    const request = http.get(url, { agent, lookup } as http.RequestOptions, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (piece: string) => {
        body += piece;
      });
      response.on('error', resume.error);
      response.on('end', () => {
        if (response.statusCode === 200) resume(body);
        else resume.error(new Error(`${url} answered ${response.statusCode}`));
      });
    });
    request.on('error', resume.error);
    return () => request.destroy();
  });
  return JSON.parse(text);
}
