/**
 * Bytes: readers, writers, queues and codes that every engine shares.
 *
 * @module
 */

export * from './ascii.ts';
export * from './byte-reader.ts';
export * from './byte-writer.ts';
export * from './detached-view.ts';
export * from './field-names.ts';
export * from './fresh-memory.ts';
export * from './huffman.ts';
export * from './latin1.ts';
export * from './output-buffer.ts';
export * from './range-set.ts';
export * from './receive-buffer.ts';
export * from './ring-queue.ts';
export * from './same-bytes.ts';
export * from './secret-fields.ts';
export * from './token-bucket.ts';
export * from './varint.ts';
