mod sandbox;
mod topdesk;
