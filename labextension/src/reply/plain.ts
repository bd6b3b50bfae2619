// Markdown as text for places that know no Markdown: its words, lists and code, without marks.

import { md, type Token } from "../markdown/parser";

export function plainText(markdown: string): string {
  const blocks: string[] = [];
  const lists: { next: number | null }[] = [];
  let mark = "";
  let cells: string[] | null = null;
  for (const token of md.parse(markdown, {})) {
    if (/^(bullet|ordered)_list_open$/.test(token.type)) {
      lists.push({ next: token.type[0] === "o" ? Number(token.attrGet("start") ?? 1) : null });
    } else if (/_list_close$/.test(token.type)) lists.pop();
    else if (token.type === "list_item_open") {
      const list = lists.at(-1)!;
      mark = list.next === null ? "- " : `${list.next++}. `;
    } else if (token.type === "tr_open") cells = [];
    else if (token.type === "tr_close") {
      blocks.push(`${cells!.join("\t")}\n`);
      cells = null;
    } else if (token.type === "table_close") blocks.push("\n");
    else if (token.type === "inline" && cells) cells.push(words(token));
    else if (["inline", "fence", "code_block", "formula"].includes(token.type)) {
      const said = token.type === "inline" ? words(token) : token.content.replace(/\n$/, "");
      const indent = "  ".repeat(Math.max(0, lists.length - 1));
      const lines = said.replace(/\n/g, `\n${lists.length ? `${indent}  ` : ""}`);
      blocks.push(`${indent}${mark || (lists.length ? "  " : "")}${lines}${lists.length ? "\n" : "\n\n"}`);
      mark = "";
    }
    if (/_list_close$/.test(token.type) && !lists.length) blocks.push("\n");
  }
  return blocks.join("").replace(/\n+$/, "");
}

function words(token: Token): string {
  let said = "";
  let link = "";
  let from = 0;
  for (const child of token.children ?? []) {
    if (child.type === "link_open") [link, from] = [String(child.attrGet("href") ?? ""), said.length];
    else if (child.type === "link_close") {
      if (link && !said.slice(from).includes(link)) said += ` (${link})`;
      link = "";
    } else if (child.type === "softbreak" || child.type === "hardbreak") said += "\n";
    else said += child.content;
  }
  return said;
}

/** Code as Markdown: a fence that nothing in it can close. */
export function fenced(code: string, language: string): string {
  const longest = Math.max(0, ...[...code.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(Math.max(3, longest + 1));
  return `${fence}${language.replace(/[`\s]/g, "")}\n${code}${code.endsWith("\n") ? "" : "\n"}${fence}`;
}
