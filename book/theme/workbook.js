"use strict";

// The copy button takes what is new: in a diff the added lines, elsewhere everything but
// the marks for what was left out. book.js asks this function, by its global name.
window.playground_text = function (pre) {
  const code = pre.querySelector("code");
  const diff = pre.closest("figure.diff");
  const lines = diff ? code.querySelectorAll("ins") : [];
  if (lines.length > 0) return Array.from(lines, (line) => line.textContent).join("");
  const copy = code.cloneNode(true);
  copy.querySelectorAll("del, .gap").forEach((line) => line.remove());
  return copy.textContent;
};
for (const button of document.querySelectorAll("figure.diff .clip-button")) {
  button.title = "Copy the new lines";
  button.setAttribute("aria-label", button.title);
}

// A block of code or a table may be wider than the page. Then, and only then, it can have
// the focus, and the arrow keys scroll it.
const scrollable = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
    else target.removeAttribute("tabindex");
  }
});
for (const wide of document.querySelectorAll("pre > code, .table-wrapper")) {
  scrollable.observe(wide);
  // book.js turns the page with these keys, from wherever it sees them.
  wide.addEventListener("keydown", (event) => {
    if (event.key.startsWith("Arrow") && wide.tabIndex === 0) event.stopPropagation();
  });
}

// The stock theme opens the table of contents with a label: only a mouse can press it,
// and its ARIA attributes belong to a button.
const toggle = document.getElementById("mdbook-sidebar-toggle");
if (toggle) {
  toggle.setAttribute("role", "button");
  toggle.tabIndex = 0;
  toggle.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    toggle.click();
  });
}
// Its search field has no name, and a description that is not there.
const search = document.getElementById("mdbook-searchbar");
search?.setAttribute("aria-label", "Search this book");
search?.setAttribute("aria-describedby", "mdbook-searchresults-header");
document.getElementById("mdbook-menu-bar")?.setAttribute("role", "banner");
