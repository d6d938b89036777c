import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SocketClosedError, spawn, Timeout } from '@tendril/core';
import { connect, listen, type Socket, startTls } from '@tendril/core/socket';
import { leaveNothing } from './helpers.js';
import {
  code,
  inRealTime,
  makeCertificate,
  started,
  temporaryFolder,
  until,
} from './io-helpers.js';

leaveNothing();
const folder = temporaryFolder();

function endOf(socket: Socket): string {
  try {
    return socket.recv(1, { timeout: 60_000 }).length === 0 ? 'ended' : 'data';
  } catch (error) {
    return code('ECONNRESET')(error) ? 'ended' : String(error);
  }
}

describe('TLS', () => {
  const localhost = makeCertificate(folder, 'localhost');
  const somebody = makeCertificate(folder, 'somebody');

  test(
    'both ways, with ALPN and SNI',
    inRealTime(() => {
      using listener = listen({
        port: 0,
        host: '127.0.0.1',
        tls: { ...localhost, ALPNProtocols: ['echo'] },
      });
      const serving = spawn(() => {
        using socket = listener.accept();
        socket.sendAll(socket.recv());
        return [socket.alpnProtocol, socket.servername, socket.encrypted];
      });
      using client = connect({
        port: listener.port,
        host: '127.0.0.1',
        tls: { ca: localhost.cert, servername: 'localhost', ALPNProtocols: ['echo'] },
      });
      client.sendAll('secret');
      assert.equal(client.recv().toString(), 'secret');
      assert.equal(client.authorized, true);
      assert.equal(client.alpnProtocol, 'echo');
      assert.equal(client.peerCertificate()?.subject.CN, 'localhost');
      assert.deepEqual(serving.get(), ['echo', 'localhost', true]);
      assert.equal(client.recv().length, 0);
    }),
  );

  test(
    'a certificate that nobody vouches for, and one for another name, are refused',
    inRealTime(() => {
      using listener = listen({ port: 0, host: '127.0.0.1', tls: localhost });
      const { port } = listener;
      const host = '127.0.0.1';
      assert.throws(() => connect({ host, port, tls: true }), code('DEPTH_ZERO_SELF_SIGNED_CERT'));
      assert.throws(
        () => connect({ host, port, tls: { ca: localhost.cert, servername: 'other' } }),
        code('ERR_TLS_CERT_ALTNAME_INVALID'),
      );
      connect({ host, port, tls: { rejectUnauthorized: false } }).destroy();
    }),
  );

  test(
    'client certificates',
    inRealTime(() => {
      using listener = listen({
        port: 0,
        host: '127.0.0.1',
        tls: { ...localhost, ca: somebody.cert, requestCert: true, rejectUnauthorized: true },
      });
      const common = { ca: localhost.cert, servername: 'localhost' };
      const accepting = started(() => listener.accept());
      using client = connect({
        port: listener.port,
        host: '127.0.0.1',
        tls: { ...common, ...somebody },
      });
      using server = accepting.get();
      assert.equal(server.peerCertificate()?.subject.CN, 'somebody');
      assert.equal(client.authorized, true);
      using stranger = connect({ port: listener.port, host: '127.0.0.1', tls: common });
      assert.throws(
        () => stranger.recv(),
        (error) => /^(ERR_SSL|ECONNRESET)/.test((error as { code: string }).code),
      );
      assert.equal(listener.statistics().handshakeFailures, 1);
    }),
  );

  test(
    'a handshake that stalls times out, on either side',
    inRealTime(() => {
      const mute = listen({ port: 0, host: '127.0.0.1' });
      assert.throws(
        () => connect({ host: '127.0.0.1', port: mute.port, tls: true, timeout: 30 }),
        Timeout,
      );
      mute.close();
      using listener = listen({
        port: 0,
        host: '127.0.0.1',
        tls: localhost,
        handshakeTimeout: 30,
      });
      using silent = connect({ host: '127.0.0.1', port: listener.port });
      assert.equal(endOf(silent), 'ended');
      assert.equal(listener.statistics().handshakeFailures, 1);
    }),
  );

  test(
    'a listener that closes takes handshakes with it',
    inRealTime(() => {
      const listener = listen({ port: 0, host: '127.0.0.1', tls: localhost });
      const sockets = () =>
        process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;
      const before = sockets();
      using silent = connect({ host: '127.0.0.1', port: listener.port });
      until(() => sockets() >= before + 2);
      listener.close();
      assert.equal(endOf(silent), 'ended');
    }),
  );

  test(
    'STARTTLS',
    inRealTime(() => {
      using listener = listen({ port: 0, host: '127.0.0.1', tls: localhost });
      const accepting = started(() => listener.accept());
      const plain = connect({ host: '127.0.0.1', port: listener.port });
      using secure = startTls(plain, { ca: localhost.cert, servername: 'localhost' });
      using server = accepting.get();
      secure.sendAll('now secret');
      assert.equal(server.recv().toString(), 'now secret');
      assert.throws(() => plain.recv(), SocketClosedError);
    }),
  );
});
