/**
 * MySQL and MariaDB without await: mysql2, with queries that stop on the server when their greenlet is killed.
 * @module
 */
export {};
