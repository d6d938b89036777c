/** The shop's pages, in straight-line code: what they wait for is nobody's business but theirs. */
import { joinall, spawn, Timeout } from '@tendril/core';
import type { Pool } from '@tendril/pg';
import type { Application } from '@tendril/wsgi';
import type { Cache } from './cache.js';
import { getJson } from './get-json.js';
import { type Product, readProduct } from './schema.js';

export interface Shop {
  pool: Pool;
  cache: Cache;
  /** Where the third parties answer. */
  services: string;
  /** Milliseconds that a page waits for them. */
  patience: number;
}

function findProduct({ pool, cache }: Shop, id: number): Product | undefined {
  const cached = cache.get(id);
  if (cached) return cached;
  const product = readProduct(pool, id);
  if (product) cache.set(product);
  return product;
}

/** A page: the product, and what others think of it. */
function showProduct(shop: Shop, id: number): unknown {
  const product = findProduct(shop, id);
  if (!product) return undefined;
  return { product, reviews: getJson(`${shop.services}/reviews`) };
}

/** The till: two third parties side by side, and no longer than the customer's patience. */
function checkOut(shop: Shop, id: number): unknown {
  const product = findProduct(shop, id);
  if (!product) return undefined;
  const asked = ['payment', 'shipping'].map((name) => spawn(getJson, `${shop.services}/${name}`));
  using limit = Timeout.startNew(shop.patience);
  try {
    joinall(asked, { raiseError: true });
    return { product, payment: asked[0]?.value, shipping: asked[1]?.value };
  } catch (error) {
    if (error !== limit) throw error;
    return { product, note: 'We will tell you by mail when it is shipped.' };
  } finally {
    for (const each of asked) each.kill({ block: false });
  }
}

/** `GET /product/7` and `GET /checkout/7`. */
export function shopApp(shop: Shop): Application {
  const pages: Record<string, (shop: Shop, id: number) => unknown> = {
    product: showProduct,
    checkout: checkOut,
  };
  return (environ, startResponse) => {
    const [, name = '', id = ''] = environ.PATH_INFO.split('/');
    const page = Object.hasOwn(pages, name) ? pages[name]?.(shop, Number(id)) : undefined;
    startResponse(page === undefined ? '404 Not Found' : '200 OK', [
      ['Content-Type', 'application/json'],
    ]);
    return [JSON.stringify(page ?? { error: 'nothing here' })];
  };
}
