/**
 * Bytes: readers, writers, queues and codes that every engine shares.
 *
 * @module
 */

export * from './ascii.ts';
export * from './field-names.ts';
export * from './receive-buffer.ts';
export * from './ring-queue.ts';
