/**
 * PostgreSQL without await: pg, with queries that stop on the server when their greenlet is killed.
 * @module
 */
export {};
