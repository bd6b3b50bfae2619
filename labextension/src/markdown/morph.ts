// Turn a tree into another with the fewest changes: what stays the same stays the same node, so a
// selection survives, and a list that grows costs its new item.

export function morph(node: Element, next: Element): void {
  if (node.isEqualNode(next)) return;
  if (node.localName !== next.localName || node.namespaceURI !== next.namespaceURI) {
    node.replaceWith(next);
    return;
  }
  for (const name of node.getAttributeNames()) {
    if (!next.hasAttribute(name)) node.removeAttribute(name);
  }
  for (const name of next.getAttributeNames()) {
    const value = next.getAttribute(name)!;
    if (node.getAttribute(name) !== value) node.setAttribute(name, value);
  }
  morphChildren(node, next);
}

export function morphChildren(node: Element, next: ParentNode & Node): void {
  let here = node.firstChild;
  let there = next.firstChild;
  while (there) {
    const following = there.nextSibling;
    if (!here) node.append(there);
    else {
      const rest: ChildNode | null = here.nextSibling;
      if (here instanceof Element && there instanceof Element) morph(here, there);
      else if (here instanceof Text && there instanceof Text) {
        if (here.data !== there.data) grow(here, there.data);
      } else here.replaceWith(there);
      here = rest;
    }
    there = following;
  }
  while (here) {
    const rest = here.nextSibling;
    here.remove();
    here = rest;
  }
}

function grow(node: Text, data: string): void {
  if (data.startsWith(node.data)) node.appendData(data.slice(node.data.length));
  else node.data = data;
}
