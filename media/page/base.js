// What the pages of Berth draw with. All that they are sent is text: nothing becomes a part of a page by what it says.
window.berthPage = {
  /** @param {string} name @param {Record<string, string>} attributes @param {(Node | string)[]} children */
  element(name, attributes = {}, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  },

  /** Who pressed a button finds it again after it was drawn anew. */
  fill(/** @type {HTMLElement} */ place, /** @type {Node[]} */ children) {
    const focused = place.contains(document.activeElement) ? document.activeElement.id : '';
    place.replaceChildren(...children);
    if (focused) document.getElementById(focused)?.focus();
  },
};
