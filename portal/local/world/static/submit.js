// Carries the customer back to the shop as soon as the page is there.
document.getElementById("callback").submit();
