// The library's container needs the metadata API before its first import, whoever imports us.
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';

export { x509 };
