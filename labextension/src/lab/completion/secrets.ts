// Which text holds a key: it goes to no model that runs elsewhere.

/** Keys by their form: of model hosts, code hosts, clouds and chats; keys of SSH and TLS; tokens. */
const FORMS =
  /\b(?:sk-[\w-]{16,}|gh[pousr]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|hf_\w{20,}|(?:AKIA|ASIA)[A-Z0-9]{16}|AIza[\w-]{30,}|xox[abeoprs]-[\w-]{10,}|pypi-[\w-]{40,}|eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.)|-----BEGIN [A-Z ]*PRIVATE KEY/;

/** A name that says so, given a text: `api_key = "…"`, `"password": '…'`, `--token …`, `KEY=…`. */
const NAMED =
  /(?:key|token(?!s|iz)|secret|passw|auth|credential|cookie)\w*["'\]]*\s*(?:[:=]|=>)\s*[rbf]?(?:"[^"\s]{8,}"|'[^'\s]{8,}'|[\w/+-]{24,}(?![\w(.[]))/i;

/** `https://user:password@host` */
const ADDRESS = /\w:\/\/[^\s/@:"']+:[^\s/@"'{]+@/;

export function holdsSecret(text: string): boolean {
  return FORMS.test(text) || NAMED.test(text) || ADDRESS.test(text);
}
