/** What the reader of events says when it reads. */
export const READING = 'reading events';
