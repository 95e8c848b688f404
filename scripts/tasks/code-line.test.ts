import { expect, it } from 'vitest';
import { codeLines, language } from './code-line.mjs';

const file = `import os
import sys

def first_step(path):
    """Read a file.

    opened_file = none of this is code
    """
    opened_file = open(path)
    # close_later = True
    header_line = opened_file.readline()
    body_lines = opened_file.readlines()
    return header_line, body_lines

def second_step(names):
    sorted_names = sorted(names)
    longest_name = max(names, key=len)
    return sorted_names, longest_name
`;
const candidates = codeLines([file]);

it('asks for the next line, with its indentation', () => {
  expect(candidates.length).toBeGreaterThan(0);
  for (const { context, answer, group } of candidates) {
    expect(file).toContain(context + answer);
    expect(context).toBe(context.trimEnd());
    expect(group).toBe('python');
  }
});

it('offers three other code lines of the file with the same indentation, none from the context', () => {
  for (const { context, answer, distractors } of candidates) {
    const indent = /^\n+( *)/.exec(answer)![1]!;
    expect(new Set([answer, ...distractors]).size).toBe(4);
    for (const one of distractors) {
      const line = one.replace(/^\n+/, '');
      expect(file.split('\n')).toContain(line);
      expect(line.slice(0, line.search(/\S/))).toBe(indent);
      expect(context.split('\n')).not.toContain(line);
      expect(line).not.toMatch(/none of this|close_later/);
    }
  }
});

it.each([
  ['go', 'package net\n\nfunc main() {\n}'],
  ['python', 'class A:\n    x = {\n'],
  ['javascript', 'export const a = () => {\n};'],
])('tells %s', (name, text) => expect(language(text)).toBe(name));
