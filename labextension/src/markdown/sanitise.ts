// The second wall. The parser lets no HTML through; what it makes passes here as well before it
// becomes part of the page, so that a fault of the parser alone harms nobody.

import DOMPurify from "dompurify";

const TAGS =
  "p br hr h1 h2 h3 h4 h5 h6 em strong s code pre ul ol li blockquote table thead tbody tr th td a div span";
const ATTRIBUTES =
  "href title target rel class start data-language data-kind data-align";
const NO_ADDRESSES = "target rel start data-language data-kind data-align";

const MATHML_TAGS =
  "math semantics mrow mi mn mo ms mtext mspace mfrac msqrt mroot mstyle merror mpadded mphantom " +
  "msub msup msubsup munder mover munderover mmultiscripts mprescripts none mtable mtr mtd menclose";
const MATHML_ATTRIBUTES =
  "display class mathvariant mathcolor mathbackground mathsize displaystyle scriptlevel stretchy " +
  "symmetric fence separator lspace rspace minsize maxsize movablelimits accent accentunder form " +
  "linethickness columnalign rowalign columnspacing rowspacing columnlines rowlines rowspan " +
  "columnspan width height depth voffset notation encoding largeop dir";

export function sanitised(html: string): DocumentFragment {
  return DOMPurify.sanitize(html, {
    ALLOWED_TAGS: TAGS.split(" "),
    ALLOWED_ATTR: ATTRIBUTES.split(" "),
    ALLOW_DATA_ATTR: false,
    ALLOW_ARIA_ATTR: false,
    ALLOWED_URI_REGEXP: /^(?:https?:|mailto:)/i,
    ADD_URI_SAFE_ATTR: NO_ADDRESSES.split(" "), // else they would have to match that, too
    RETURN_DOM_FRAGMENT: true,
  });
}

/** MathML without what could lead elsewhere: no links, no images, no HTML inside, no styles. */
export function sanitisedMath(mathml: string): DocumentFragment {
  return DOMPurify.sanitize(mathml, {
    ALLOWED_TAGS: MATHML_TAGS.split(" "),
    ALLOWED_ATTR: MATHML_ATTRIBUTES.split(" "),
    ALLOW_DATA_ATTR: false,
    ALLOW_ARIA_ATTR: false,
    RETURN_DOM_FRAGMENT: true,
  });
}
