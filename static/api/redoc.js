"use strict";
const place = document.getElementById("api");
window.Redoc.init(
  place.dataset.description,
  {
    disableSearch: false,
    hideDownloadButton: false,
    theme: { typography: { fontFamily: "system-ui, sans-serif", headings: { fontFamily: "system-ui, sans-serif" } } },
  },
  place,
);
