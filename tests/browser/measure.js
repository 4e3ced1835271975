// Looks at a page as a person would, and writes what is wrong with it into its document.
'use strict';
const problems = [];
const tell = (what, element) =>
    problems.push(what + ': ' + (element.textContent || element.className || element.tagName).trim().slice(0, 60));
const visible = element => element.checkVisibility() && element.getBoundingClientRect().width > 0;

// Nothing makes the page wider than its window; what is wider scrolls in its own box.
const root = document.documentElement;
if (root.scrollWidth > window.innerWidth) {
    problems.push(`the page is ${root.scrollWidth} wide in a window of ${window.innerWidth}`);
    for (const element of document.body.querySelectorAll('*'))
        if (!element.closest('.scroll') && element.getBoundingClientRect().right > window.innerWidth + 1) {
            tell('sticks out', element);
            break;
        }
}

// Contrast as in WCAG 2.2, section 1.4.3.
const numbers = colour => colour.match(/[\d.]+/g).map(Number);
const luminance = colour => {
    const [r, g, b] = numbers(colour).map(value => value / 255)
        .map(value => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const contrast = (one, other) => {
    const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
};
const opaque = colour => numbers(colour).length < 4 || numbers(colour)[3] > 0.5;
const behind = element => {
    for (let at = element; at; at = at.parentElement) {
        const colour = getComputedStyle(at).backgroundColor;
        if (opaque(colour)) return colour;
    }
    return 'rgb(255, 255, 255)';
};

// In the pictures: no two texts on each other, none cut off, none too small; legible where it stands.
let texts = 0;
for (const svg of [...document.querySelectorAll('svg[role=img]')].filter(visible)) {
    const frame = svg.getBoundingClientRect();
    const drawn = [...svg.querySelectorAll('text')].map(element => ({ element, box: element.getBoundingClientRect() }));
    for (const { element, box } of drawn) {
        ++texts;
        if (box.left < frame.left - 1.5 || box.right > frame.right + 1.5 || box.top < frame.top - 3 || box.bottom > frame.bottom + 3)
            tell('cut off in ' + svg.id, element);
        const size = parseFloat(getComputedStyle(element).fontSize) * frame.width / svg.viewBox.baseVal.width;
        if (size < 9.5) tell(`only ${size.toFixed(1)} pixels high in ${svg.id}`, element);
        const field = /\bht\d/.test(element.getAttribute('class')) && [...svg.querySelectorAll('rect')].reverse().find(rect => {
            const there = rect.getBoundingClientRect();
            return /^h\d$/.test(rect.getAttribute('class')) && there.left < box.left && there.right > box.right && there.top <= box.top + 4 && there.bottom >= box.bottom - 4;
        });
        const ratio = contrast(getComputedStyle(element).fill, field ? getComputedStyle(field).fill : behind(svg));
        if (ratio < 4.5) tell(`contrast ${ratio.toFixed(1)} in ${svg.id}`, element);
    }
    for (let i = 0; i < drawn.length; ++i)
        for (let j = i + 1; j < drawn.length; ++j) {
            const a = drawn[i].box, b = drawn[j].box;
            if (drawn[i].element.hasAttribute('transform') || drawn[j].element.hasAttribute('transform')) continue;
            if (a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 4 && b.top < a.bottom - 4)
                tell(`on '${drawn[j].element.textContent}' in ${svg.id}`, drawn[i].element);
        }
}

// Everywhere else: legible.
for (const element of document.querySelectorAll('p, li, dd, dt, h1, h2, h3, h4, summary, a, th, td, caption, figcaption, .note')) {
    if (!visible(element) || element.className === 'skip') continue;
    const ratio = contrast(getComputedStyle(element).color, behind(element));
    if (ratio < 4.5) tell(`contrast ${ratio.toFixed(1)}`, element);
}

// The keyboard comes to the skip link first, and to everything that scrolls or opens.
const stops = [...document.querySelectorAll('a[href], summary, [tabindex="0"]')];
if (!stops.length || stops[0].className !== 'skip') problems.push('the skip link is not the first stop');
for (const box of document.querySelectorAll('.scroll'))
    if (box.tabIndex !== 0) tell('scrolls, but not by keyboard', box);

const scheme = matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
const report = document.createElement('pre');
report.id = 'measured';
report.textContent = [`measured ${window.innerWidth} ${scheme} ${texts} texts`, ...new Set(problems)].join('\n');
document.body.append(report);
