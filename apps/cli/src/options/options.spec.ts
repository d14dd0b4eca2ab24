import { parseDuration } from './duration.ts';
import { parseEndpoint } from './endpoint.ts';

it.each([
  ['90s', 90_000],
  ['15m', 900_000],
  ['1h', 3_600_000],
  ['1m30s', 90_000],
  ['500ms', 500],
  ['20', 20_000],
])('%s is %i ms', (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});

it.each(['', 'soon', '-5s', '5 s', '1d', 's'])('"%s" is no time', (text) => {
  expect(() => parseDuration(text)).toThrow('90s, 15m or 1h');
});

it.each([
  ['west.example.org:4280', 'https://west.example.org:4280'],
  ['https://192.0.2.1:443/', 'https://192.0.2.1:443'],
  ['[fd00::1]:4280', 'https://[fd00::1]:4280'],
])('%s is %s', (text, url) => {
  expect(parseEndpoint(text)).toBe(url);
});

it.each(['west', 'http://west:4280', 'https://west:4280/path', 'https://me:secret@west:4280', 'fd00::1:4280', ':4280', ''])(
  '"%s" is no address of a join API',
  (text) => {
    expect(() => parseEndpoint(text)).toThrow('host:port');
  },
);
