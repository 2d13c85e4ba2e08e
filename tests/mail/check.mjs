// html-validate and caniemail over many mails in one process.
// In: {name: html} as JSON on standard input. Out: {validity: {name: [fault]}, features: {name: {feature: [client]}}}.
import { readFileSync } from 'node:fs';
import { caniemail } from 'caniemail';
import { HtmlValidate, StaticConfigLoader } from 'html-validate';

// The clients that most readers use, each on every system that caniemail knows it on; the others follow one of these.
const CLIENTS = [
  'apple-mail.macos', 'apple-mail.ios',
  'gmail.desktop-webmail', 'gmail.mobile-webmail', 'gmail.ios', 'gmail.android',
  'outlook.windows', 'outlook.windows-mail', 'outlook.macos', 'outlook.ios', 'outlook.android',
  'yahoo.desktop-webmail', 'yahoo.ios', 'yahoo.android',
  'samsung-email.android', 'thunderbird.macos', 'protonmail.desktop-webmail', 'fastmail.desktop-webmail',
];

const RULES = {
  // Clients drop <style>, so that inline styles carry the layout; tables and their attributes carry it in Outlook,
  // which lays out with Word and knows neither max-width nor padding of a div.
  'no-inline-style': 'off',
  'no-deprecated-attr': 'off',
  // [if mso] is how Outlook, and nobody else, gets the table that limits the width.
  'no-conditional-comment': 'off',
  // role="presentation" on a table says that it holds layout: none of the elements that the rule proposes does.
  'prefer-native-element': ['error', { exclude: ['presentation', 'article'] }],
  // A number beside a word is no telephone number, and every non-breaking space costs six bytes of the budget.
  'tel-non-breaking': 'off',
  // Every reader of HTML puts the <tbody> there itself.
  'prefer-tbody': 'off',
  // Titles are subjects, whose length the linter judges.
  'long-title': 'off',
  // Templates write either; no reader sees it.
  'no-trailing-whitespace': 'off',
};

// What the standard calls obsolete, or leaves out, and Outlook needs.
const table = { cellpadding: {}, cellspacing: {}, border: {}, width: {}, align: {}, bgcolor: {}, height: {} };
const validator = new HtmlValidate(
  new StaticConfigLoader({
    root: true,
    extends: ['html-validate:recommended'],
    elements: ['html5', { table: { attributes: table }, td: { attributes: { width: {}, align: {}, valign: {}, bgcolor: {}, height: {} } } }],
    rules: RULES,
  }),
);

function faults(html) {
  const report = validator.validateStringSync(html);
  return report.results
    .flatMap((result) => result.messages)
    .map((message) => `html-validate ${message.ruleId}: line ${message.line}, ${message.message}`);
}

function lackedBy(clients, html) {
  const { issues } = caniemail({ clients, html });
  return [...issues.errors].flatMap(([client, found]) => found.map(({ title }) => [title, client]));
}

function unsupported(html) {
  let found;
  try {
    found = lackedBy(CLIENTS, html);
  } catch {
    // Its data lack a feature for some client, and it throws there: the other clients still count.
    found = CLIENTS.flatMap((client) => {
      try {
        return lackedBy([client], html);
      } catch (error) {
        return [[`cannot be checked: ${error.message}`, client]];
      }
    });
  }
  const features = {};
  for (const [title, client] of found) (features[title] ??= new Set()).add(client);
  return Object.fromEntries(Object.entries(features).map(([title, clients]) => [title, [...clients]]));
}

const mails = Object.entries(JSON.parse(readFileSync(0, 'utf8')));
const each = (look) => Object.fromEntries(mails.map(([name, html]) => [name, look(html)]));
console.log(JSON.stringify({ validity: each(faults), features: each(unsupported) }));
