"""The report: a campaign as one page of HTML that needs no network, and the same page live while it runs."""
