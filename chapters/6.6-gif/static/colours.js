// Everybody has a colour. Styles inside a page are not allowed here, so a script sets it.
"use strict";

/** Shows a visitor's colour on an element. */
function colour(element, user) {
  if (user === null) {
    delete element.dataset.user;
  } else {
    element.dataset.user = user;
    element.style.setProperty("--user", user);
  }
}

for (const element of document.querySelectorAll("[data-user]")) {
  colour(element, element.dataset.user);
}
